#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ace/views.hpp"

namespace adiabat::ace {

struct SparseSource {
  std::vector<std::int32_t> start;
  std::vector<std::int32_t> index;
  std::vector<double> weight;
};

// The arrays of Program, see there; places are not yet multiplied, and the components not yet transposed.
struct ProgramSource {
  SparseSource components;
  std::vector<std::int32_t> left, right, first, second;
  std::vector<double> linear;
  std::int32_t single_blocks;
  std::vector<std::int32_t> column_start, column;
  std::vector<double> weight;
  double shift;  // eV
};

struct PlanSource {
  double cutoff;  // Å, of the radial functions
  double reach;   // Å, of the longest edge that counts: the cutoff, or the repulsion's where that is longer
  std::int32_t l_max;
  std::vector<Segment> segments;
  std::vector<Pair<double>> pairs;       // (species, species)
  std::vector<ProgramSource> programs;   // by species
};

template <class T>
struct SparseTables {
  std::vector<std::int32_t> start, index;
  std::vector<T> weight;
  SparseRows<T> view() const { return {start.data(), index.data(), weight.data()}; }
};

template <class T>
SparseTables<T> tables(const SparseSource &source) {
  return {source.start, source.index, std::vector<T>(source.weight.begin(), source.weight.end())};
}

SparseSource transposed(const SparseSource &source, std::int32_t columns);
// Places in a table of values, as the walk takes them.
std::vector<std::uint32_t> places(const std::vector<std::int32_t> &source);
// Components of the density of one species of neighbour.
std::int32_t density_count(const PlanSource &source);

// The tables of a plan in one floating-point type, and the view of them.
template <class T>
class PlanTables {
 public:
  explicit PlanTables(const PlanSource &source);
  PlanTables(const PlanTables &) = delete;
  PlanTables &operator=(const PlanTables &) = delete;
  const Plan<T> &view() const { return view_; }

 private:
  struct ProgramTables {
    ProgramTables(const ProgramSource &source, std::int32_t density);
    Program<T> view() const;

    SparseTables<T> of_density, of_component;
    std::vector<std::uint32_t> left, right, first, second, column;
    std::vector<std::int32_t> column_start;
    std::vector<T> linear, weight;
    std::int32_t single_blocks;
    double shift;
  };
  void make_radial(std::int32_t count, double cutoff);
  void make_harmonics(std::int32_t l_max);

  std::vector<T> alpha_, beta_, carry_, radial_slope_, diagonal_, rise_, fall_, harmonic_slope_;
  std::vector<Segment> segments_;
  std::vector<Pair<T>> pairs_;
  std::vector<ProgramTables> tables_;
  std::vector<Program<T>> programs_;
  Plan<T> view_{};
};

// Throws std::invalid_argument where an index leaves its table: what is accepted here cannot make the walk leave memory.
void require_sound(const PlanSource &source);
void require_rows(const SparseSource &rows, std::size_t count, std::int64_t columns);
void require_components(const SparseSource &components, std::size_t nodes, std::int64_t density);
void require_nodes(const std::vector<std::int32_t> &left, const std::vector<std::int32_t> &right, std::size_t components);
void require_place(std::int32_t place, std::size_t end);
void require_places(const std::vector<std::int32_t> &places, std::size_t end);
void require_starts(const std::vector<std::int32_t> &start, std::size_t rows, std::size_t entries);
void require_finite(const std::vector<double> &values);
void require(bool holds, const char *rule);

}  // namespace adiabat::ace
