#pragma once
#include <cstdint>
#include <vector>

#include "ace/plan.hpp"
#include "ace/views.hpp"

namespace adiabat::ace {

struct ProductSource {
  std::vector<std::int32_t> start, first, second;
  std::vector<double> weight;
};

// The arrays of InvariantTable, see there; places are not yet multiplied, and the components not yet transposed.
struct InvariantSource {
  std::int32_t value_sums;
  SparseSource components;
  ProductSource sums, invariants, local;
  std::vector<std::int32_t> stage_local, stage_component, component, pair_start, pair_function, pair_place;
  std::vector<double> pair_weight;
};

// Throws std::invalid_argument where an index leaves its table, of the plan or of the invariants.
void require_sound(const PlanSource &plan, const InvariantSource &source);

// The tables of the invariants in one floating-point type, and the view of them.
template <class T>
class InvariantTables {
 public:
  InvariantTables(const InvariantSource &source, std::int32_t density);
  InvariantTables(const InvariantTables &) = delete;
  InvariantTables &operator=(const InvariantTables &) = delete;
  const InvariantTable<T> &view() const { return view_; }

 private:
  struct ProductTables {
    explicit ProductTables(const ProductSource &source);
    Products<T> view() const { return {start.data(), first.data(), second.data(), weight.data()}; }

    std::vector<std::int32_t> start;
    std::vector<std::uint32_t> first, second;
    std::vector<T> weight;
  };

  SparseTables<T> of_density_, of_component_;
  ProductTables sums_, invariants_, local_;
  std::vector<std::int32_t> stage_local_, stage_component_, component_, pair_start_, pair_function_;
  std::vector<std::uint32_t> pair_place_;
  std::vector<T> pair_weight_;
  InvariantTable<T> view_{};
};

}  // namespace adiabat::ace
