from adiabat.typing import IntArray

def canonical_edge_order(
    atoms: int, center: IntArray, neighbor: IntArray, shift: IntArray, order: IntArray
) -> None: ...
