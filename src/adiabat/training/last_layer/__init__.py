"""Error bars of networks: a posterior over what their energies are linear in, the last layer and an expansion beside it.

The rest of a network is taken as it was trained (Laplace's approximation of the last layer: D. J. C. MacKay, Neural Comput. 4, 448
(1992); E. Daxberger et al., NeurIPS 34, 20089 (2021)). How wide the posterior is, structures say that were not trained on.
"""

from adiabat.training.last_layer.known import what_a_network_knows
from adiabat.training.last_layer.learned import Learned

__all__ = ["Learned", "what_a_network_knows"]
