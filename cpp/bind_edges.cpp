#include "bind_edges.hpp"

#include <cmath>

#include "arrays.hpp"
#include "edge_list.hpp"
#include "neighbor_search.hpp"

namespace nb = nanobind;
using adiabat::EdgeList;

namespace {

using Triples = Array<const std::int64_t, nb::shape<-1, 3>>;

EdgeList listed(std::int64_t systems, LongIntegers center, LongIntegers neighbor, Triples shift, LongIntegers system) {
  require(neighbor.shape(0) == center.shape(0) && shift.shape(0) == center.shape(0),
          "center, neighbor and shift must have the same length");
  return EdgeList::listed(static_cast<std::int64_t>(system.shape(0)), systems, static_cast<std::int64_t>(center.shape(0)),
                          center.data(), neighbor.data(), shift.data(), system.data());
}

// The edges, and of the shortest one: length, centre, neighbour, shift; None without edges.
nb::tuple search(LongIntegers start, Vectors positions, Cells boxes, Array<const bool, nb::shape<-1, 3>> periodic,
                 LongIntegers numbers, double cutoff, int threads) {
  const std::size_t systems = boxes.shape(0), atoms = positions.shape(0);
  require(start.shape(0) == systems + 1 && periodic.shape(0) == systems, "every structure has a box and periodic directions");
  require(numbers.shape(0) == atoms, "every atom has a number");
  require(start.data()[0] == 0 && start.data()[systems] == static_cast<std::int64_t>(atoms), "structures cover all atoms");
  for (std::size_t s = 0; s < systems; ++s) require(start.data()[s] <= start.data()[s + 1], "structures do not overlap");
  require(std::isfinite(cutoff) && cutoff > 0, "the cutoff is positive");
  require(threads >= 1, "threads must be positive");
  const adiabat::Structures structures{static_cast<std::int64_t>(systems), start.data(), positions.data(), boxes.data(),
                                       reinterpret_cast<const std::uint8_t *>(periodic.data()), numbers.data()};
  adiabat::Search found = [&] {
    const nb::gil_scoped_release release;
    return adiabat::search(structures, cutoff, threads);
  }();
  const adiabat::Shortest &s = found.shortest;
  nb::object shortest = nb::none();
  if (found.edges.edges() > 0)
    shortest = nb::make_tuple(std::sqrt(s.squared), s.center, s.neighbor, nb::make_tuple(s.shift[0], s.shift[1], s.shift[2]));
  return nb::make_tuple(std::move(found.edges), shortest);
}

void expand(const EdgeList &edges, Array<std::int64_t, nb::ndim<1>> center, Array<std::int64_t, nb::ndim<1>> neighbor,
            Array<std::int64_t, nb::shape<-1, 3>> shift) {
  const auto count = static_cast<std::size_t>(edges.edges());
  require(center.shape(0) == count && neighbor.shape(0) == count && shift.shape(0) == count, "outputs have a row for each edge");
  edges.expand(center.data(), neighbor.data(), shift.data());
}

}  // namespace

void bind_edges(nb::module_ &module) {
  nb::class_<EdgeList>(module, "EdgeList")
      .def_prop_ro("atoms", &EdgeList::atoms)
      .def_prop_ro("systems", &EdgeList::systems)
      .def_prop_ro("edges", &EdgeList::edges)
      .def("expand", &expand, nb::arg("center").noconvert(), nb::arg("neighbor").noconvert(), nb::arg("shift").noconvert());
  module.def("listed_edges", &listed, nb::arg("systems"), nb::arg("center").noconvert(), nb::arg("neighbor").noconvert(),
             nb::arg("shift").noconvert(), nb::arg("system").noconvert());
  module.def("search", &search, nb::arg("start").noconvert(), nb::arg("positions").noconvert(), nb::arg("boxes").noconvert(),
             nb::arg("periodic").noconvert(), nb::arg("numbers").noconvert(), nb::arg("cutoff"), nb::arg("threads"));
}
