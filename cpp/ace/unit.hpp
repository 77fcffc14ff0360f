// The whole of one instruction set: included by a unit that defines ADIABAT_VECTOR_BYTES and ADIABAT_NAME.
// Everything but the one function at the end has internal linkage.
#include <immintrin.h>

#include "ace/views.hpp"

namespace adiabat::ace {
#include "ace/lanes.hpp"
#include "ace/radial.hpp"
#include "ace/harmonics.hpp"
#include "ace/density.hpp"
#include "ace/products.hpp"
#include "ace/walk.hpp"
#include "ace/invariants.hpp"
#include "ace/committee.hpp"
#include "ace/network.hpp"
#include "ace/rows.hpp"

InstructionSet ADIABAT_NAME() {
  return {{Lane<double>::count, &scratch_bytes<double>, &evaluate<double>, &invariant_scratch_bytes<double>,
           &invariants<double>, &committee_scratch_bytes<double>, &committee<double>,
           &beside_scratch_bytes<double>, &beside<double>, &network_scratch_bytes<double>, &network<double>},
          {Lane<float>::count, &scratch_bytes<float>, &evaluate<float>, &invariant_scratch_bytes<float>,
           &invariants<float>, &committee_scratch_bytes<float>, &committee<float>,
           &beside_scratch_bytes<float>, &beside<float>, &network_scratch_bytes<float>, &network<float>},
          &row_scratch_bytes,
          &add_rows};
}
}  // namespace adiabat::ace
