#include "random.hpp"

#include <array>
#include <cmath>

namespace adiabat {
namespace {

constexpr double WHOLE = 1.0 / 9007199254740992.0;  // 2^-53

// Philox4x64-10: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, Proc. SC11 (2011), doi:10.1145/2063384.2063405.
std::array<std::uint64_t, 4> philox(std::array<std::uint64_t, 4> c, std::uint64_t key0, std::uint64_t key1) {
  for (int round = 0; round < 10; ++round) {
    const unsigned __int128 a = static_cast<unsigned __int128>(0xD2E7470EE14C6C93ULL) * c[0];
    const unsigned __int128 b = static_cast<unsigned __int128>(0xCA5A826395121157ULL) * c[2];
    c = {static_cast<std::uint64_t>(b >> 64) ^ c[1] ^ key0, static_cast<std::uint64_t>(b),
         static_cast<std::uint64_t>(a >> 64) ^ c[3] ^ key1, static_cast<std::uint64_t>(a)};
    key0 += 0x9E3779B97F4A7C15ULL;
    key1 += 0xBB67AE8584CAA73BULL;
  }
  return c;
}

// The words of one row of a stream, one after the other.
class Words {
 public:
  Words(const Stream &stream, std::uint64_t row) : stream_(stream), row_(row) {}
  std::uint64_t next() {
    if (used_ == 4) {
      words_ = philox({row_, block_++, stream_.purpose, stream_.step}, stream_.seed, stream_.replica);
      used_ = 0;
    }
    return words_[used_++];
  }
  // In (0, 1).
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * WHOLE; }

 private:
  const Stream &stream_;
  std::uint64_t row_, block_ = 0;
  std::array<std::uint64_t, 4> words_{};
  std::size_t used_ = 4;
};

// The ziggurat of G. Marsaglia and W. W. Tsang, J. Stat. Softw. 5 (8), 1 (2000), doi:10.18637/jss.v005.i08, with 256 layers of equal
// area; layer, sign and position come from different bits of a word (J. A. Doornik, 2005).
struct Ziggurat {
  static constexpr int LAYERS = 256;
  static constexpr double TAIL = 3.6541528853610088, AREA = 0.00492867323399;
  double edge[LAYERS + 1], height[LAYERS + 1];

  Ziggurat() {
    edge[0] = AREA / density(TAIL);
    edge[1] = TAIL;
    for (int k = 2; k < LAYERS; ++k) edge[k] = std::sqrt(-2 * std::log(AREA / edge[k - 1] + density(edge[k - 1])));
    edge[LAYERS] = 0;
    for (int k = 0; k <= LAYERS; ++k) height[k] = density(edge[k]);
  }
  static double density(double x) { return std::exp(-0.5 * x * x); }
};

const Ziggurat ziggurat;

double beyond_the_layers(Words &words) {
  while (true) {
    const double x = -std::log(words.uniform()) / Ziggurat::TAIL, y = -std::log(words.uniform());
    if (2 * y > x * x) return Ziggurat::TAIL + x;
  }
}

double normal(Words &words) {
  while (true) {
    const std::uint64_t word = words.next();
    const auto layer = static_cast<std::size_t>(word & 255);
    const double sign = word & 256 ? -1 : 1;
    const double x = (static_cast<double>(word >> 11) + 0.5) * WHOLE * ziggurat.edge[layer];
    if (x < ziggurat.edge[layer + 1]) return sign * x;
    if (layer == 0) return sign * beyond_the_layers(words);
    const double low = ziggurat.height[layer], high = ziggurat.height[layer + 1];
    if (low + words.uniform() * (high - low) < Ziggurat::density(x)) return sign * x;
  }
}

}  // namespace

void normal(const Stream &stream, std::int64_t rows, double *out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    Words words(stream, static_cast<std::uint64_t>(row));
    for (int d = 0; d < 3; ++d) out[3 * row + d] = normal(words);
  }
}

// Twice a gamma variate: G. Marsaglia and W. W. Tsang, ACM Trans. Math. Softw. 26, 363 (2000), doi:10.1145/358407.358414.
double chi_squared(const Stream &stream, std::int64_t degrees) {
  if (degrees <= 0) return 0;
  Words words(stream, 0);
  if (degrees == 1) {
    const double x = normal(words);
    return x * x;
  }
  const double d = 0.5 * static_cast<double>(degrees) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal(words), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(words.uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return 2 * d * v;
  }
}

}  // namespace adiabat
