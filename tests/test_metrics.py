import numpy as np
import pytest

from pipeline.metrics import PSNR_CAP_DB, cosine, psnr_db, ssim

A = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    assert psnr_db(A, A + 0.01, peak=1) == pytest.approx(40, abs=1e-3)


def test_psnr_refers_to_its_peak() -> None:
    assert psnr_db(A * 255, A * 255 + 2.55, peak=255) == pytest.approx(40, abs=1e-3)


def test_psnr_of_equal_pictures_is_the_cap() -> None:
    assert psnr_db(A, A, peak=1) == PSNR_CAP_DB


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_psnr_of_a_value_that_is_not_finite_passes_no_gate(bad: float) -> None:
    assert not psnr_db(A, np.full_like(A, bad), peak=1) >= 0


def test_ssim_is_one_for_equal_pictures_and_less_for_others() -> None:
    assert ssim(A, A) == pytest.approx(1)
    assert ssim(A, A[::-1]) < 0.5


def test_cosine_ignores_length() -> None:
    e = A.ravel()
    assert cosine(e, 3 * e) == pytest.approx(1)
    assert cosine(e, -e) == pytest.approx(-1)
