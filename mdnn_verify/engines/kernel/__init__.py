"""The engine of machine-checked proofs: Coq files, compiled, questioned, and checked once more.

MachineChecked(path, root)     the claim that one file's theorems are proved, as stated, and not vacuous
EverythingRechecked(root)      the claim that coqchk accepts all files and all libraries that they rest on
theorem_files(root)            the files that there are
WHITE_LIST, INSTALL            the axioms that are allowed; the one command that installs what is needed
"""

from mdnn_verify.engines.kernel.claims import EverythingRechecked, MachineChecked, theorem_files
from mdnn_verify.engines.kernel.coq import INSTALL
from mdnn_verify.engines.kernel.query import WHITE_LIST

__all__ = ["INSTALL", "WHITE_LIST", "EverythingRechecked", "MachineChecked", "theorem_files"]
