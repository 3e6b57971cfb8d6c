"""Every number of microGPT, once. Read from the syntax tree too: literals, names and arithmetic only, no imports."""

VOCAB_SIZE = 27  # a–z and BOS
BOS = 0  # begins a name and ends it
BLOCK_SIZE = 16

N_EMBD = 16
N_HEAD = 4
HEAD_DIM = N_EMBD // N_HEAD
N_LAYER = 1
FF_DIM = 4 * N_EMBD
PARAMETER_COUNT = (
    VOCAB_SIZE * N_EMBD  # wte
    + BLOCK_SIZE * N_EMBD  # wpe
    + N_LAYER * 3 * N_HEAD * N_EMBD * HEAD_DIM  # wq, wk, wv
    + N_LAYER * N_HEAD * HEAD_DIM * N_EMBD  # wo
    + N_LAYER * 2 * N_EMBD * FF_DIM  # w_fc1, w_fc2
    + N_EMBD * VOCAB_SIZE  # w_lm
)

INIT_STD = 0.08
RMS_EPSILON = 1e-5  # inside the root
MASK_VALUE = -1e9  # finite, because softmax wants finite input; exp(-1e9) is 0 even in float64

NUM_STEPS = 5000
LR = 0.01  # decays linearly to 0
BETA1 = 0.85
BETA2 = 0.99
ADAM_EPSILON = 1e-8  # outside the root

TEMPERATURE = 0.5
SEED = 42
