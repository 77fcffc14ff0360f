#include "bind_cells.hpp"

#include "arrays.hpp"
#include "cells.hpp"

namespace nb = nanobind;
using adiabat::Inside;

namespace {

using Out = Array<double, nb::ndim<1>>;
using OutTable = Array<double, nb::ndim<2>>;
using OutCells = Array<double, nb::shape<-1, 3, 3>>;

std::int64_t long_of(std::size_t count) { return static_cast<std::int64_t>(count); }

template <class... Tables>
std::int64_t common_numbers(std::size_t numbers, const Tables &...tables) {
  require(numbers == 1 || numbers == 9, "a matrix has 9 numbers, a multiple of the unit matrix one");
  require(((tables.shape(1) == numbers) && ...), "matrices are all full, or all multiples of the unit matrix");
  return long_of(numbers);
}

Inside made_inside(const Table &kinetic, const Cells &stress, const Reals &volume, const Reals &pressure, const Reals &thermal) {
  const std::size_t systems = kinetic.shape(0);
  require_rows(systems, stress, volume);
  return {kinetic.data(), stress.data(), volume.data(), made_values(pressure, systems), made_values(thermal, systems)};
}

void volumes(Cells cells, Out out) {
  require_rows(cells.shape(0), out);
  adiabat::volumes(long_of(cells.shape(0)), cells.data(), out.data());
}

void thicknesses(Cells cells, Cells before, Out out) {
  require_rows(cells.shape(0), before, out);
  adiabat::thicknesses(long_of(cells.shape(0)), cells.data(), before.data(), out.data());
}

void deformations(Cells reference, Cells cells, double flat, OutCells out, Out change) {
  require_rows(reference.shape(0), cells, out, change);
  adiabat::deformations(long_of(cells.shape(0)), reference.data(), cells.data(), flat, out.data(), change.data());
}

void exponentials(Table matrices, OutTable out, OutTable mean) {
  require_rows(matrices.shape(0), out, mean);
  const std::int64_t numbers = common_numbers(matrices.shape(1), out, mean);
  adiabat::exponentials(long_of(matrices.shape(0)), numbers, matrices.data(), out.data(), mean.data());
}

void rescaling_strains(Table kinetic, Cells stress, Reals volume, Reals pressure, Reals thermal, double compressibility, double rate,
                       Table noise, OutTable out) {
  const Inside inside = made_inside(kinetic, stress, volume, pressure, thermal);
  require_rows(kinetic.shape(0), noise, out);
  const std::int64_t numbers = common_numbers(kinetic.shape(1), out);
  require(noise.shape(1) == (numbers == 1 ? 1 : 7), "a size takes one random number, a shape six more");
  adiabat::rescaling_strains(long_of(kinetic.shape(0)), numbers, inside, {compressibility, rate}, noise.data(), out.data());
}

void strain_heat(Table strain, Table shrink, Table kinetic, Cells stress_before, Reals volume_before, Cells stress_after, Reals volume_after,
                 Out out) {
  require_rows(strain.shape(0), shrink, kinetic, stress_before, volume_before, stress_after, volume_after, out);
  const std::int64_t numbers = common_numbers(strain.shape(1), shrink, kinetic);
  adiabat::strain_heat(long_of(strain.shape(0)), numbers, strain.data(), shrink.data(), kinetic.data(),
                       {stress_before.data(), volume_before.data()}, {stress_after.data(), volume_after.data()}, out.data());
}

void cell_forces(Table kinetic, Cells stress, Reals volume, Reals pressure, Reals degrees, OutTable out) {
  const Inside inside = made_inside(kinetic, stress, volume, pressure, pressure);
  require_rows(kinetic.shape(0), degrees, out);
  adiabat::cell_forces(long_of(kinetic.shape(0)), common_numbers(kinetic.shape(1), out), inside, degrees.data(), out.data());
}

}  // namespace

void bind_cells(nb::module_ &module) {
  const auto exact = [](const char *name) { return nb::arg(name).noconvert(); };
  module.def("volumes", &volumes, exact("cells"), exact("out"));
  module.def("thicknesses", &thicknesses, exact("cells"), exact("before"), exact("out"));
  module.def("deformations", &deformations, exact("reference"), exact("cells"), nb::arg("flat"), exact("out"), exact("change"));
  module.def("exponentials", &exponentials, exact("matrices"), exact("out"), exact("mean"));
  module.def("rescaling_strains", &rescaling_strains, exact("kinetic"), exact("stress"), exact("volume"), exact("pressure"),
             exact("thermal"), nb::arg("compressibility"), nb::arg("rate"), exact("noise"), exact("out"));
  module.def("strain_heat", &strain_heat, exact("strain"), exact("shrink"), exact("kinetic"), exact("stress_before"),
             exact("volume_before"), exact("stress_after"), exact("volume_after"), exact("out"));
  module.def("cell_forces", &cell_forces, exact("kinetic"), exact("stress"), exact("volume"), exact("pressure"), exact("degrees"),
             exact("out"));
}
