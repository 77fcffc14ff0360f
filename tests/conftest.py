"""What every test runs under."""

import torch

# Small tensors gain nothing from more threads, and lose tenfold to them on a busy machine.
torch.set_num_threads(1)
