"""A density estimator that guesses, predicts what its guess would give, compares, and corrects the guess.

The posterior of a model with little noise is hundreds to thousands of times narrower than its prior. A network that
maps statistics to parameters in one go would need that many digits. Here each stage needs one or two: what a stage
sees is by how many SDs of the noise the statistics miss those predicted at the guess of the stage before, and what it
returns is a step in units of the uncertainty of that guess. That is the Gauss-Newton method, learned.
"""

from __future__ import annotations

import math

import torch
from sbi.neural_nets.estimators import ConditionalDensityEstimator
from torch import nn

__all__ = ["RefiningEstimator"]

WIDTH = 80  # units of a hidden layer
BLOCKS = 2  # residual blocks of each network
WAVES = 32  # random projections whose sine and cosine are inputs
CORRECTIONS = 2  # of the first guess, before the density
COMPONENTS = 6  # normals of the density
MAX_LEVELS = 32  # values of whole-number statistics that have an input of their own
MAX_LOG_SCALE, MIN_LOG_SCALE = 2.0, -10.0  # of an uncertainty, in units of the prior's SD
MAX_INPUT = 10.0  # SDs of the training data
MAX_MISS = 10.0  # SDs of the noise up to which a correction is linear
NEAREST = 1e-4  # of a statistic to an end of its range that the logarithm resolves, in interquartile ranges


class RefiningEstimator(ConditionalDensityEstimator):
    """The density of standard normal numbers given scaled statistics: a mixture of normals around a refined guess.

    Four kinds of networks, trained together. One makes a first guess from the statistics. One predicts the statistics
    and their noise from parameters (for the observed value of statistics that are whole numbers, where they jump).
    Others correct the guess. The last one returns the mixture.

    Parameters
    ----------
    n_parameters, n_statistics
        Their numbers. Call `prepare` before the training.

    References
    ----------
    Bishop 1994, Neural Computing Research Group Report NCRG/94/004 (mixture density networks); Tancik et al. 2020,
    NeurIPS (sines of random projections); Adler & Öktem 2017, Inverse Probl 33:124007 (learned iterations).
    """

    lowest: torch.Tensor
    highest: torch.Tensor
    spread: torch.Tensor
    centre: torch.Tensor
    mean: torch.Tensor
    sd: torch.Tensor
    level_of: torch.Tensor
    levels: torch.Tensor
    waves: torch.Tensor
    prior_waves: torch.Tensor

    def __init__(self, n_parameters: int, n_statistics: int) -> None:
        p, n_seen = n_parameters, 4 * n_statistics
        super().__init__(nn.ModuleDict(), torch.Size([p]), torch.Size([n_statistics]))
        for name in ("lowest", "highest", "spread", "centre"):
            self.register_buffer(name, torch.ones(n_statistics))
        for name in ("mean", "sd"):
            self.register_buffer(name, torch.ones(n_seen))
        self.register_buffer("level_of", torch.zeros(MAX_LEVELS, dtype=torch.int64))
        self.register_buffer("levels", torch.full((MAX_LEVELS,), math.inf))
        self.register_buffer("waves", torch.randn(n_seen, WAVES))
        self.register_buffer("prior_waves", 2.0 * torch.randn(p, WAVES))
        compared = n_seen + MAX_LEVELS + 2 * p + 2 * n_seen
        self.net["guess"] = _network(n_seen + MAX_LEVELS + 2 * WAVES, 2 * p)
        self.net["predict"] = _network(p + 2 * WAVES + MAX_LEVELS, 2 * n_seen)
        self.net["correct"] = nn.ModuleList([_network(compared, p * (2 + n_seen)) for _ in range(CORRECTIONS)])
        self.net["density"] = _network(compared, COMPONENTS * (1 + 2 * p + p * (p - 1) // 2))
        with torch.no_grad():  # components must differ before they can be learned
            self.net["density"][-1].bias.view(COMPONENTS, -1)[:, 1 : 1 + p].normal_(0.0, 0.3)

    def prepare(self, scaled: torch.Tensor) -> None:
        """Learn the ranges of scaled statistics `scaled`, (n, n_statistics), and which are whole numbers."""
        x = scaled.float()
        low, centre, high = torch.quantile(x, torch.tensor([0.25, 0.5, 0.75]), dim=0)
        self.lowest.copy_(x.amin(0)), self.highest.copy_(x.amax(0)), self.centre.copy_(centre)
        spread = torch.where(high > low, high - low, x.std(0))
        self.spread.copy_(torch.where(spread > 0, spread, 1.0))
        used = 0
        for column, values in enumerate(x.T):
            distinct = torch.unique(values)
            if 1 < len(distinct) <= MAX_LEVELS - used and len(distinct) < len(values) // 2:
                self.level_of[used : used + len(distinct)] = column
                self.levels[used : used + len(distinct)] = distinct
                used += len(distinct)
        seen = self._several_scales(x)
        self.mean.copy_(seen.mean(0))
        self.sd.copy_(torch.where(seen.std(0) > 1e-6, seen.std(0), math.inf))

    @property
    def stages(self) -> list[nn.Module]:
        """The networks, none of which is trained through another."""
        return [self.net["guess"], self.net["predict"], *self.net["correct"], self.net["density"]]

    def losses(self, input: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return what training minimises, (3 + CORRECTIONS, n): the sum of the rows.

        The first is the negative log-density of `input` (n, n_parameters); then those of the guesses, and of the
        predicted statistics.
        """
        seen, level = self._seen(condition)
        guesses, mixture = self._refined(seen, level)
        of_guesses = [_normal_loss(input, mean, log_sd) for mean, log_sd in guesses]
        # The prediction counts as much as one guess, however many statistics there are.
        predicted = _normal_loss(seen, *self._predicted(input, level)) * (input.shape[1] / seen.shape[1])
        return torch.stack([-_mixture_log_prob(input, *mixture), *of_guesses, predicted])

    def loss(self, input: torch.Tensor, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Return the negative log-density (n,) of `input` (n, n_parameters)."""
        return -self.log_prob(input, condition)

    def log_prob(self, input: torch.Tensor, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Return the log-density (n,) of `input` (n, n_parameters) given `condition` (n, n_statistics)."""
        return _mixture_log_prob(input, *self._refined(*self._seen(condition))[1])

    def sample(self, sample_shape: torch.Size, condition: torch.Tensor, **_: object) -> torch.Tensor:
        """Draw standard normal numbers (*sample_shape, n, n_parameters) given `condition` (n, n_statistics)."""
        n_draws, n = math.prod(sample_shape), len(condition)
        log_weight, mean, log_sd, below = self._refined(*self._seen(condition))[1]
        rows = torch.arange(n).repeat(n_draws)
        chosen = torch.distributions.Categorical(logits=log_weight).sample((n_draws,)).flatten()
        mean, log_sd, below = mean[rows, chosen], log_sd[rows, chosen], below[rows, chosen]
        drawn = torch.randn_like(mean)
        steps: list[torch.Tensor] = []
        for row in range(mean.shape[1]):  # inverts `_mixture_log_prob`
            first = row * (row - 1) // 2
            known = [below[:, first + column] * steps[column] for column in range(row)]
            steps.append(drawn[:, row] - sum(known, torch.zeros(())))
        z = mean + torch.stack(steps, -1) * log_sd.exp()
        return z.reshape(*sample_shape, n, -1)

    def _seen(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inputs: each statistic on several scales, (n, 4 n_statistics), and which levels are hit."""
        seen = (self._several_scales(x) - self.mean) / self.sd
        return seen.clamp(-MAX_INPUT, MAX_INPUT), ((x[:, self.level_of] - self.levels).abs() < 1e-4).float()

    def _several_scales(self, x: torch.Tensor) -> torch.Tensor:
        """Return statistics unchanged, as logarithms of the distance from both ends, and finely around the median."""
        low, high = ((x - self.lowest) / self.spread).clamp_min(0), ((self.highest - x) / self.spread).clamp_min(0)
        fine = torch.asinh(10 * (x - self.centre) / self.spread)
        return torch.cat([x, torch.log(low + NEAREST), torch.log(high + NEAREST), fine], -1)

    def _refined(
        self, seen: torch.Tensor, level: torch.Tensor
    ) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], tuple[torch.Tensor, ...]]:
        """Return each guess and the logarithm of its SD, (n, n_parameters), and the mixture.

        No stage is trained through a later one, so that each guess is as good as it can be.
        """
        p = self.input_shape[0]
        found = self.net["guess"](torch.cat([seen, level, *_waves(seen, self.waves)], -1))
        guesses = [(found[:, :p], _bounded(found[:, p:]))]
        for correct in self.net["correct"]:
            mean, log_sd = (part.detach() for part in guesses[-1])
            missed, compared = self._compared(seen, level, mean, log_sd)
            offset, wider, slopes = correct(compared).split([p, p, p * seen.shape[1]], -1)
            # For small misses the best step is linear in them, with slopes that depend on where the guess is.
            linear = (slopes.view(len(seen), p, -1) @ (missed / MAX_MISS).clamp(-1, 1)[..., None])[..., 0]
            guesses.append((mean + (offset + linear) * log_sd.exp(), _bounded(log_sd + wider)))
        mean, log_sd = (part.detach() for part in guesses[-1])
        _, compared = self._compared(seen, level, mean, log_sd)
        found = self.net["density"](compared).view(len(seen), COMPONENTS, -1)
        log_weight, step, wider, below = found.split([1, p, p, p * (p - 1) // 2], -1)
        centres = mean[:, None] + step * log_sd.exp()[:, None]
        return guesses, (log_weight[..., 0].log_softmax(-1), centres, _bounded(log_sd[:, None] + wider), below)

    def _compared(
        self, seen: torch.Tensor, level: torch.Tensor, mean: torch.Tensor, log_sd: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return by how many SDs the prediction of a guess misses the statistics, and all that a correction sees."""
        with torch.no_grad():
            expected, noise = self._predicted(mean, level)
        missed = (seen - expected) * torch.exp(-noise)
        near, far = (missed / MAX_MISS).clamp(-1, 1), torch.asinh(missed)
        return missed, torch.cat([seen, level, mean, log_sd, near, far], -1)

    def _predicted(self, z: torch.Tensor, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the statistics expected at `z` (n, n_parameters), as inputs, and the logarithm of their noise."""
        found = self.net["predict"](torch.cat([z, level, *_waves(z, self.prior_waves)], -1))
        expected, noise = found.chunk(2, -1)
        return expected, _bounded(noise)


class _Block(nn.Module):
    """A residual block (He et al. 2016, CVPR) that begins as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        _zero(self.layers[-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _network(n_inputs: int, n_outputs: int) -> nn.Sequential:
    """Build a residual network that returns 0 before it is trained."""
    last = nn.Linear(WIDTH, n_outputs)
    _zero(last)
    blocks = [_Block(WIDTH) for _ in range(BLOCKS)]
    return nn.Sequential(nn.Linear(n_inputs, WIDTH), *blocks, nn.LayerNorm(WIDTH), nn.SiLU(), last)


def _zero(layer: nn.Module) -> None:
    for values in layer.parameters():
        nn.init.zeros_(values)


def _waves(x: torch.Tensor, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    projected = x @ directions
    return projected.sin(), projected.cos()


def _bounded(log_scale: torch.Tensor) -> torch.Tensor:
    return log_scale.clamp(MIN_LOG_SCALE, MAX_LOG_SCALE)


def _normal_loss(value: torch.Tensor, mean: torch.Tensor, log_sd: torch.Tensor) -> torch.Tensor:
    """Negative log-density (n,) of independent normals."""
    return (0.5 * ((value - mean) * torch.exp(-log_sd)) ** 2 + log_sd + 0.5 * math.log(2 * math.pi)).sum(-1)


def _mixture_log_prob(
    z: torch.Tensor, log_weight: torch.Tensor, mean: torch.Tensor, log_sd: torch.Tensor, below: torch.Tensor
) -> torch.Tensor:
    """Log-density (n,) of `z` (n, p) in mixtures (n, k, ...) of normals.

    below: the entries under the diagonal of the triangle that makes the scaled distances independent, row by row.
    """
    distances = ((z[:, None] - mean) * torch.exp(-log_sd)).unbind(-1)
    total = torch.zeros_like(log_weight)
    for row, distance in enumerate(distances):
        first = row * (row - 1) // 2
        known = [below[..., first + column] * distances[column] for column in range(row)]
        total = total + sum(known, distance) ** 2
    normal = -0.5 * total - log_sd.sum(-1) - 0.5 * len(distances) * math.log(2 * math.pi)
    return torch.logsumexp(log_weight + normal, -1)
