"""An interpreter for Core ML packages: reads the saved ML Program and computes it anywhere.

Core ML itself runs on Apple systems only. This models what a package says and what its storage
types round away, not Apple's kernels: its figures are called "interpreted", never "executed".

- `blob.py`: the weight file
- `values.py`: constants, in the file and in the program
- `constexpr.py`: compressed weights
- `ops.py`: one function per operation, in one table
- `program.py`: a package, its functions, and running one
"""
