#pragma once
#include <cstdint>
#include <vector>

namespace adiabat {

// One structure with its atoms wrapped into the box and sorted into cells of a grid. Along open directions the grid spans
// the atoms.
class CellGrid {
 public:
  // positions (atoms, 3); box (3, 3), rows are vectors; periodic (3,).
  // Throws std::invalid_argument where the box is so thin that an atom has too many images within the cutoff.
  CellGrid(std::int64_t atoms, const double *positions, const double *box, const std::uint8_t *periodic, double cutoff);

  std::int64_t atoms() const { return static_cast<std::int64_t>(cell_.size()) / 3; }
  const double *wrapped(std::uint32_t atom) const { return wrapped_.data() + 3 * static_cast<std::size_t>(atom); }
  // How often each box vector was taken off an atom's position.
  const std::int32_t *wraps(std::uint32_t atom) const { return wraps_.data() + 3 * static_cast<std::size_t>(atom); }
  // Cell coordinates of an atom.
  const std::int32_t *cell(std::uint32_t atom) const { return cell_.data() + 3 * static_cast<std::size_t>(atom); }
  const double *box() const { return box_; }
  bool periodic(int direction) const { return periodic_[direction]; }
  std::int32_t cells(int direction) const { return cells_[direction]; }
  // Atoms further apart than so many cells along a direction are further apart than the cutoff.
  std::int32_t reach(int direction) const { return reach_[direction]; }
  // How far an atom is along a direction, Å, for comparing.
  double along(std::uint32_t atom, int direction) const;
  // The atoms of a cell, ascending: members()[cell_begin(...)] ... members()[cell_end(...) - 1].
  const std::vector<std::uint32_t> &members() const { return members_; }
  std::uint32_t cell_begin(std::int32_t x, std::int32_t y, std::int32_t z) const { return start_[number(x, y, z)]; }
  std::uint32_t cell_end(std::int32_t x, std::int32_t y, std::int32_t z) const { return start_[number(x, y, z) + 1]; }

 private:
  std::size_t number(std::int32_t x, std::int32_t y, std::int32_t z) const {
    return (static_cast<std::size_t>(x) * static_cast<std::size_t>(cells_[1]) + static_cast<std::size_t>(y)) *
               static_cast<std::size_t>(cells_[2]) +
           static_cast<std::size_t>(z);
  }
  void wrap(std::int64_t atoms, const double *positions);
  void choose_cells(double cutoff);
  void sort_into_cells();

  double box_[9], inverse_[9], height_[3], low_[3], extent_[3];  // low, extent: fractions of the box
  bool periodic_[3];
  std::int32_t cells_[3], reach_[3];
  std::vector<double> wrapped_;
  std::vector<std::int32_t> wraps_, cell_;
  std::vector<std::uint32_t> start_, members_;
};

}  // namespace adiabat
