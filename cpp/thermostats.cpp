#include "thermostats.hpp"

#include <cmath>

namespace adiabat {
namespace {

struct Chain {
  std::int64_t length;
  double mass, degrees, twice_kinetic, thermal;
  double *links;

  double mass_of(std::int64_t k) const { return k == 0 ? degrees * mass : mass; }

  // Half a step of one link, under the force on it and the friction of the next one.
  void push(std::int64_t k, double factor, double step) const {
    const double drive =
        k == 0 ? factor * factor * twice_kinetic - degrees * thermal : mass_of(k - 1) * links[k - 1] * links[k - 1] - thermal;
    const double push = 0.5 * step * drive / mass_of(k);
    if (k == length - 1) {
      links[k] += push;
      return;
    }
    const double slowed = std::exp(-0.25 * step * links[k + 1]);
    links[k] = (links[k] * slowed + push) * slowed;
  }
};

}  // namespace

void rescale(std::int64_t systems, const double *kinetic, Values thermal, double kept, const double *first, const double *rest, double *out) {
  for (std::int64_t s = 0; s < systems; ++s) {
    if (!(kinetic[s] > 0)) {
      out[s] = 1;
      continue;
    }
    const double drawn = std::sqrt((1 - kept) * 0.5 * thermal[s] / kinetic[s]), along = std::sqrt(kept) + drawn * first[s];
    out[s] = std::copysign(std::sqrt(along * along + drawn * drawn * rest[s]), along);
  }
}

void propagate(const Chains &all, std::int64_t steps, const double *step, double *links, double *factor, double *stored) {
  for (std::int64_t s = 0; s < all.systems; ++s) {
    const Chain chain{all.length, all.mass[s], all.degrees[s], all.twice_kinetic[s], all.thermal[s], links + all.length * s};
    factor[s] = 1;
    stored[s] = 0;
    for (std::int64_t n = 0; n < steps; ++n) {
      for (std::int64_t k = all.length; k-- > 0;) chain.push(k, factor[s], step[n]);
      factor[s] *= std::exp(-step[n] * chain.links[0]);
      double sum = chain.degrees * chain.links[0];
      for (std::int64_t k = 1; k < all.length; ++k) sum += chain.links[k];
      stored[s] += step[n] * chain.thermal * sum;
      for (std::int64_t k = 0; k < all.length; ++k) chain.push(k, factor[s], step[n]);
    }
  }
}

}  // namespace adiabat
