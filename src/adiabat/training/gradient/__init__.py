"""Training by gradients: any model whose energies can be differentiated by its parameters."""
