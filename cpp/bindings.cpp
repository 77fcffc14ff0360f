#include <nanobind/nanobind.h>

#include "bind_ace.hpp"
#include "bind_cells.hpp"
#include "bind_edges.hpp"
#include "bind_motion.hpp"

NB_MODULE(_core, module) {
  // A potential that lives until the interpreter ends is no leak.
  nanobind::set_leak_warnings(false);
  bind_edges(module);
  bind_ace(module);
  bind_motion(module);
  bind_cells(module);
}
