"""The numbers that a bisection decides by.

Fixed on seeds 0 … 19 of benchmarks/bisect in bfloat16 and float32, on two kinds of CPU with torch 2.13; judged on others. Where
no shape is named: 12 layers and 96 tokens. `python benchmarks/bisect/run.py --calibrate` measures them again, shape by shape.
"""

SOURCE = 3.0
"""The error added at a stage, over its noise, from which on the stage is a source.

Correct ports reached 1.14 in bfloat16 and 4.1 in float32: rows of attention, whose error hangs on the rounding of a single
score. So what is above the threshold is looked at again, with strayed inputs; done from 1.5 on, that left no correct port above
1.7 and no sound stage of a faulty one above 1.9. Gross faults were at 18.6 (one channel zeroed, bfloat16) and above. An eps of
1e-5 for 1e-6 in float32 was at 2.6 in one model and between 2.9 and 77 in the others; the rung of float64 sees it in all.
"""

INHERITED = 5.0
"""The distance of candidate and reference, over the reference's own distance from float64, from which on it is no noise: on the
whole and in each column, both without the row of the largest error.

Correct ports reached 2.1 on the whole and 2.2 in their worst column. Noise may take one row over, and then a column has little
else: with that row a correct port (seed 103, float32) had 5.1 in a column, of which the row made 99 hundredths. It labels
stages, and leaves inconclusive what no stage adds; by itself it blames none.
"""

INHERITED_ROW = 12.0
"""The same of a row, over the worst row of the reference.

Noise that grows takes single rows over, and may take one in the candidate that it left alone in the reference. In bfloat16
correct ports reached 3.8, with 2,048 tokens 2.1, with 32 layers 7.4 (one model of 20; the others 4.8); in float32 2.5, with 32
layers 4.3. More tokens are more rows on both sides, so the ratio of the two worst does not grow with them. Both are by the size
that the row has in float64: by what noise had left of it in the reference, a correct port of 2,048 tokens reached 6.1.
"""

GROWTH = 2.0
"""How much further over the floor an error must be after a clean stage than before it to have been amplified there."""

FITS = 16.0
"""How far a reference may be from its own recomputation, over the noise of plain arithmetic, before the map is said not to
describe it. Where it does, the references reached 1.0 in bfloat16 and 1.7 in float32."""

FITS_ALWAYS = 2e-6
"""A relative error below which a map describes a reference anyhow: one that runs in float64 may well keep float32 inside."""
