#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <stdexcept>

#include "values.hpp"

// Arrays as the bindings take them. Their arguments are marked noconvert: an array of another type would be copied silently,
// fractions cut off, and an output written to the copy.
template <class T, class... Shape>
using Array = nanobind::ndarray<T, Shape..., nanobind::c_contig, nanobind::device::cpu>;
using Integers = Array<const std::int32_t, nanobind::ndim<1>>;
using LongIntegers = Array<const std::int64_t, nanobind::ndim<1>>;
using Reals = Array<const double, nanobind::ndim<1>>;
using Vectors = Array<const double, nanobind::shape<-1, 3>>;
using Table = Array<const double, nanobind::ndim<2>>;
using Cells = Array<const double, nanobind::shape<-1, 3, 3>>;

inline void require(bool holds, const char *rule) {
  if (!holds) throw std::invalid_argument(rule);
}

template <class Rows, class... Others>
inline void require_rows(std::size_t rows, const Rows &first, const Others &...others) {
  require(first.shape(0) == rows && ((others.shape(0) == rows) && ...), "arrays of the same atoms or structures have the same length");
}

inline adiabat::Values made_values(const Reals &values, std::size_t systems) {
  require(values.shape(0) == 1 || values.shape(0) == systems, "there is one value for all structures, or one for each");
  return {values.data(), static_cast<std::int64_t>(values.shape(0))};
}
