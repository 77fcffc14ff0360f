#pragma once
#include <string>
#include <vector>

#include "ace/views.hpp"

namespace adiabat {

// Those that this processor has, best first: of "avx512", "avx2", "baseline".
std::vector<std::string> instruction_sets();

// The kernels of one; the best where `name` is empty. Throws std::invalid_argument where there is no such one here.
const ace::InstructionSet &instruction_set(const std::string &name);

}  // namespace adiabat
