#include "bind_motion.hpp"

#include <nanobind/stl/optional.h>

#include <optional>

#include "arrays.hpp"
#include "motion.hpp"
#include "random.hpp"
#include "thermostats.hpp"

namespace nb = nanobind;
using adiabat::Matrices;
using adiabat::Members;

namespace {

using Out = Array<double, nb::ndim<1>>;
using OutVectors = Array<double, nb::shape<-1, 3>>;
using OutTable = Array<double, nb::ndim<2>>;

Members made_members(const LongIntegers &start, std::size_t atoms) {
  const std::size_t bounds = start.shape(0);
  require(bounds >= 1 && start.data()[0] == 0 && start.data()[bounds - 1] == static_cast<std::int64_t>(atoms), "structures cover all atoms");
  for (std::size_t s = 1; s < bounds; ++s) require(start.data()[s - 1] <= start.data()[s], "structures do not overlap");
  return {static_cast<std::int64_t>(bounds) - 1, start.data()};
}

Matrices made_matrices(const Table &matrices, const Members &members) {
  require(matrices.shape(0) == static_cast<std::size_t>(members.systems), "every structure has a matrix");
  require(matrices.shape(1) == 1 || matrices.shape(1) == 9, "a matrix has 9 numbers, a multiple of the unit matrix one");
  return {matrices.data(), static_cast<std::int64_t>(matrices.shape(1))};
}

void kick(Vectors velocities, Vectors forces, Reals inverse, double by, OutVectors out) {
  const std::size_t atoms = velocities.shape(0);
  require_rows(atoms, forces, inverse, out);
  adiabat::kick(static_cast<std::int64_t>(atoms), velocities.data(), forces.data(), inverse.data(), by, out.data());
}

void drift(Vectors positions, Vectors first, Vectors second, double by, OutVectors out) {
  const std::size_t atoms = positions.shape(0);
  require_rows(atoms, first, second, out);
  adiabat::drift(static_cast<std::int64_t>(atoms), positions.data(), first.data(), second.data(), by, out.data());
}

void carry(LongIntegers start, Vectors positions, Vectors first, Vectors second, double by, Table cell, Table way, OutVectors out) {
  const Members members = made_members(start, positions.shape(0));
  require_rows(positions.shape(0), first, second, out);
  adiabat::carry(members, positions.data(), first.data(), second.data(), by, made_matrices(cell, members), made_matrices(way, members),
                 out.data());
}

void drag(LongIntegers start, Vectors velocities, Vectors centers, Vectors forces, Reals inverse, double by, Table cell, Table way,
          OutVectors out) {
  const Members members = made_members(start, velocities.shape(0));
  require_rows(velocities.shape(0), forces, inverse, out);
  require_rows(start.shape(0) - 1, centers);
  adiabat::drag(members, velocities.data(), centers.data(), forces.data(), inverse.data(), by, made_matrices(cell, members),
                made_matrices(way, members), out.data());
}

void second_moments(LongIntegers start, Reals masses, Array<const bool, nb::ndim<1>> free, Vectors velocities, OutTable moments,
                    OutVectors centers) {
  const Members members = made_members(start, velocities.shape(0));
  require_rows(velocities.shape(0), masses);
  require_rows(start.shape(0) - 1, free, moments, centers);
  require(moments.shape(1) == 1 || moments.shape(1) == 9, "second moments are 9 numbers, or one");
  const adiabat::Spread out{static_cast<std::int64_t>(moments.shape(1)), moments.data(), centers.data()};
  adiabat::second_moments(members, masses.data(), free.data(), velocities.data(), out);
}

void transform(LongIntegers start, Vectors vectors, Table matrices, Vectors centers, OutVectors out) {
  const Members members = made_members(start, vectors.shape(0));
  require_rows(vectors.shape(0), out);
  require_rows(start.shape(0) - 1, centers);
  adiabat::transform(members, vectors.data(), made_matrices(matrices, members), centers.data(), out.data());
}

void rub(LongIntegers start, Vectors velocities, Reals inverse_roots, Reals weights, Vectors noise, double decay, Reals widths, OutVectors out,
         Out gained) {
  const Members members = made_members(start, velocities.shape(0));
  require_rows(velocities.shape(0), inverse_roots, weights, noise, out);
  require_rows(start.shape(0) - 1, gained);
  adiabat::rub(members, velocities.data(), inverse_roots.data(), weights.data(), noise.data(),
               {decay, made_values(widths, start.shape(0) - 1)}, out.data(), gained.data());
}

void furthest_squared(LongIntegers start, Vectors before, std::optional<Table> matrices, Vectors after, Out out) {
  const Members members = made_members(start, before.shape(0));
  require_rows(before.shape(0), after);
  require_rows(start.shape(0) - 1, out);
  if (!matrices) return adiabat::furthest_squared(members, before.data(), nullptr, after.data(), out.data());
  const Matrices made = made_matrices(*matrices, members);
  adiabat::furthest_squared(members, before.data(), &made, after.data(), out.data());
}

void rescale(Reals kinetic, Reals thermal, double kept, Reals first, Reals rest, Out out) {
  const std::size_t systems = kinetic.shape(0);
  require_rows(systems, first, rest, out);
  adiabat::rescale(static_cast<std::int64_t>(systems), kinetic.data(), made_values(thermal, systems), kept, first.data(), rest.data(),
                   out.data());
}

void propagate_chains(Reals mass, Reals degrees, Reals twice_kinetic, Reals thermal, Reals steps, OutTable links, Out factor, Out stored) {
  const std::size_t systems = mass.shape(0), length = links.shape(1);
  require_rows(systems, degrees, twice_kinetic, links, factor, stored);
  require(length >= 1, "a chain has one link or more");
  const adiabat::Chains chains{static_cast<std::int64_t>(systems), static_cast<std::int64_t>(length), mass.data(), degrees.data(),
                               twice_kinetic.data(), made_values(thermal, systems)};
  adiabat::propagate(chains, static_cast<std::int64_t>(steps.shape(0)), steps.data(), links.data(), factor.data(), stored.data());
}

void normal(std::uint64_t seed, std::uint64_t purpose, std::uint64_t step, Array<const std::uint64_t, nb::ndim<1>> replicas,
            LongIntegers start, OutVectors out) {
  const Members members = made_members(start, out.shape(0));
  require_rows(static_cast<std::size_t>(members.systems), replicas);
  for (std::int64_t s = 0; s < members.systems; ++s)
    adiabat::normal({seed, replicas.data()[s], purpose, step}, start.data()[s + 1] - start.data()[s], out.data() + 3 * start.data()[s]);
}

void chi_squared(std::uint64_t seed, std::uint64_t purpose, std::uint64_t step, Array<const std::uint64_t, nb::ndim<1>> replicas,
                 LongIntegers degrees, Out out) {
  require_rows(replicas.shape(0), degrees, out);
  for (std::size_t s = 0; s < replicas.shape(0); ++s)
    out.data()[s] = adiabat::chi_squared({seed, replicas.data()[s], purpose, step}, degrees.data()[s]);
}

}  // namespace

void bind_motion(nb::module_ &module) {
  const auto exact = [](const char *name) { return nb::arg(name).noconvert(); };
  module.def("kick", &kick, exact("velocities"), exact("forces"), exact("inverse"), nb::arg("by"), exact("out"));
  module.def("drift", &drift, exact("positions"), exact("first"), exact("second"), nb::arg("by"), exact("out"));
  module.def("carry", &carry, exact("start"), exact("positions"), exact("first"), exact("second"), nb::arg("by"), exact("cell"), exact("way"),
             exact("out"));
  module.def("drag", &drag, exact("start"), exact("velocities"), exact("centers"), exact("forces"), exact("inverse"), nb::arg("by"),
             exact("cell"), exact("way"), exact("out"));
  module.def("second_moments", &second_moments, exact("start"), exact("masses"), exact("free"), exact("velocities"), exact("moments"),
             exact("centers"));
  module.def("transform", &transform, exact("start"), exact("vectors"), exact("matrices"), exact("centers"), exact("out"));
  module.def("rub", &rub, exact("start"), exact("velocities"), exact("inverse_roots"), exact("weights"), exact("noise"), nb::arg("decay"),
             exact("widths"), exact("out"), exact("gained"));
  module.def("furthest_squared", &furthest_squared, exact("start"), exact("before"), exact("matrices").none(), exact("after"), exact("out"));
  module.def("rescale", &rescale, exact("kinetic"), exact("thermal"), nb::arg("kept"), exact("first"), exact("rest"), exact("out"));
  module.def("propagate_chains", &propagate_chains, exact("mass"), exact("degrees"), exact("twice_kinetic"), exact("thermal"),
             exact("steps"), exact("links"), exact("factor"), exact("stored"));
  module.def("normal", &normal, nb::arg("seed"), nb::arg("purpose"), nb::arg("step"), exact("replicas"), exact("start"), exact("out"));
  module.def("chi_squared", &chi_squared, nb::arg("seed"), nb::arg("purpose"), nb::arg("step"), exact("replicas"), exact("degrees"),
             exact("out"));
}
