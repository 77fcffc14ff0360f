#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>

#include "bind_ace.hpp"
#include "edge_order.hpp"

namespace nb = nanobind;

using Indices = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Triples = nb::ndarray<const std::int64_t, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;
using Order = nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

static void canonical_edge_order(std::int64_t atoms, Indices center, Indices neighbor, Triples shift, Order order) {
  if (atoms < 0) throw std::invalid_argument("the number of atoms must not be negative");
  const auto edges = static_cast<std::int64_t>(center.shape(0));
  if (neighbor.shape(0) != center.shape(0) || shift.shape(0) != center.shape(0) || order.shape(0) != center.shape(0))
    throw std::invalid_argument("center, neighbor, shift and order must have the same length");
  for (std::int64_t e = 0; e < edges; ++e)
    if (center.data()[e] < 0 || center.data()[e] >= atoms)
      throw std::out_of_range("center must lie between 0 and the number of atoms");
  adiabat::canonical_edge_order(edges, atoms, center.data(), neighbor.data(), shift.data(), order.data());
}

NB_MODULE(_core, module) {
  // A potential that lives until the interpreter ends is no leak.
  nb::set_leak_warnings(false);
  bind_ace(module);
  // noconvert: an array of another type would be copied silently, fractions cut off, and an output written to the copy.
  module.def("canonical_edge_order", &canonical_edge_order, nb::arg("atoms"), nb::arg("center").noconvert(),
             nb::arg("neighbor").noconvert(), nb::arg("shift").noconvert(), nb::arg("order").noconvert());
}
