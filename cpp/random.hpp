#pragma once
#include <cstdint>

// Random numbers that are a function of their key and their counter: nothing is carried from one to the next.
namespace adiabat {

// What numbers are for: different purposes and steps share none.
struct Stream {
  std::uint64_t seed, replica, purpose, step;
};

// rows x 3 independent standard normal numbers; row k is the same however many rows are asked for.
void normal(const Stream &stream, std::int64_t rows, double *out);

// A number distributed as the sum of `degrees` squared standard normal ones; 0 for none.
double chi_squared(const Stream &stream, std::int64_t degrees);

}  // namespace adiabat
