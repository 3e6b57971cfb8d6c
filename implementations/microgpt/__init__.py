"""microGPT: a character-level GPT in torch, small enough to be read in one sitting.

After Karpathy's microgpt (2026), as ported by paiml/microgpt; unlike that port, every gradient is that of the formula.
Read in this order: `config` (every number), `tokenizer`, `kernels`, `model`, `optimizer`, `training`, `sampling`; then what
keeps it: `names`, `checkpoint`, `run`. In: the forward pass, its gradients, Adam, training that can be broken off.
Out: batches, key/value caches, dropout, biases, learned norm scales.
"""
