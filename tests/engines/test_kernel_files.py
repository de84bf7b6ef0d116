"""The package's own files of proofs: all keep the rules of the text; one is proved here, the rest in a run of its own."""

import shutil
from pathlib import Path

import pytest

import mdnn_verify
from mdnn_verify.engines import Context
from mdnn_verify.engines.kernel import INSTALL, WHITE_LIST, MachineChecked, theorem_files
from mdnn_verify.engines.kernel.contents import load
from mdnn_verify.verdicts import Status

ROOT = Path(mdnn_verify.__file__).parent / "formal"
COQ = all(shutil.which(name) for name in ("coqc", "coqchk"))


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/*.v")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_keeps_the_rules(path):
    contents = load(path, ROOT)
    assert contents.faults == []
    if path in theorem_files(ROOT):
        assert contents.faults_of_form == []
        assert {f"{theorem.name}_witness" for theorem in contents.theorems} <= contents.witnesses
    else:
        assert contents.is_shared
        assert contents.title


@pytest.mark.skipif(not COQ, reason=f"Coq is not installed: {INSTALL}")
def test_the_maximisers_of_a_tight_bound(tmp_path):
    file = ROOT / "variational" / "lower_bound_tight.v"
    verdict = MachineChecked(file, ROOT, tmp_path).decide(Context("test", timeout=120))
    assert verdict.status is Status.PROVED, verdict
    first = verdict.evidence["theorems"][0]
    assert first["statement"].endswith("maximises f theta <-> (exists phi : Phi, maximises g (theta, phi))")
    assert first["witness"] == "maximises parabola 3 <-> (exists phi : R, maximises parabola_bound (3, phi))"
    assert first["axioms"] == [
        "Coq.Logic.FunctionalExtensionality.functional_extensionality_dep",
        "Coq.Reals.ClassicalDedekindReals.sig_forall_dec",
    ]
    assert set(first["axioms"]) <= set(WHITE_LIST)
