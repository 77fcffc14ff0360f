#define ADIABAT_VECTOR_BYTES 64
#define ADIABAT_NAME avx512
#include "ace/unit.hpp"
