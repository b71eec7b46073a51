"""An interpreter for Core ML packages: reads the saved ML Program and computes it anywhere.

Core ML itself runs on Apple systems only. The interpreter models what a package says and what its
storage types round away, not Apple's kernels: its figures are called "interpreted", not "executed".

- `package_file.py`: the program inside a package folder
- `blob.py`: the weight file
- `values.py`: constants, in the file and in the program
- `features.py`: inputs and outputs as an app sees them
- `constexpr.py`: compressed weights
- `ops.py`: one function per operation, in one table
- `operands.py`: what an operation is given, and whether it used all of it
- `evaluate.py`: one operation, with its errors
- `program.py`: a package, its functions, and running one
"""
