import pytest
import torch
import torch.nn.functional as F

from model.generator import Generator, GeneratorConfig
from training.generator.span import heed_span


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(GeneratorConfig(channels=4, embedding_size=32)).eval()


@pytest.fixture
def people() -> torch.Tensor:
    """Embeddings that lie in 8 of 32 dimensions."""
    basis = torch.linalg.qr(torch.randn(32, 8, generator=torch.Generator().manual_seed(1))).Q
    random = torch.randn(200, 8, generator=torch.Generator().manual_seed(2))
    return F.normalize(random @ basis.T)


def painted(network: Generator, embedding: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(torch.zeros(1, 3, 64, 64), embedding[None]).image256


def test_people_are_painted_as_before(generator, people) -> None:
    before = painted(generator, people[0])
    assert heed_span(generator, people) == 8
    torch.testing.assert_close(painted(generator, people[0]), before, atol=1e-4, rtol=0)


def test_what_no_person_has_is_not_heard(generator, people) -> None:
    noise = torch.randn(32, generator=torch.Generator().manual_seed(3))
    basis = torch.linalg.svd(people, full_matrices=False).Vh[:8]
    outside = noise - noise @ basis.T @ basis
    assert (
        painted(generator, people[0] + outside) - painted(generator, people[0])
    ).abs().max() > 1e-3
    heed_span(generator, people)
    torch.testing.assert_close(
        painted(generator, people[0] + outside), painted(generator, people[0]), atol=1e-4, rtol=0
    )
