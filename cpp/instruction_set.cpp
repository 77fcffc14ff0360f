#include "instruction_set.hpp"

#include <stdexcept>
#include <utility>

namespace adiabat::ace {
InstructionSet avx512();
InstructionSet avx2();
InstructionSet baseline();
}  // namespace adiabat::ace

namespace adiabat {
namespace {

using Named = std::pair<std::string, ace::InstructionSet>;

std::vector<Named> found() {
  __builtin_cpu_init();
  std::vector<Named> sets;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma"))
    sets.emplace_back("avx512", ace::avx512());
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.emplace_back("avx2", ace::avx2());
  sets.emplace_back("baseline", ace::baseline());
  return sets;
}

const std::vector<Named> &available() {
  static const std::vector<Named> sets = found();
  return sets;
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto &set : available()) names.push_back(set.first);
  return names;
}

const ace::InstructionSet &instruction_set(const std::string &name) {
  for (const auto &set : available())
    if (name.empty() || set.first == name) return set.second;
  std::string known;
  for (const auto &set : available()) known += (known.empty() ? "" : ", ") + set.first;
  throw std::invalid_argument("there is no instruction set '" + name + "' here; this processor has " + known);
}

}  // namespace adiabat
