"""The head: right numbers, right slopes, and never a batch of logits."""

import unittest

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests import small
from troupe_trainer import trainer as trainer_module
from troupe_trainer.logprobs import token_logprobs
from troupe_trainer.objective import Objective

GRPO = Objective("grpo", 0.2, 0.2, kl=0.01)


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation made."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0
        self.shape: tuple[int, ...] = ()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for one in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(one, torch.Tensor) and one.numel() > self.elements:
                self.elements, self.shape = one.numel(), tuple(one.shape)
        return result


class TokenLogprobs(unittest.TestCase):
    def test_equals_log_softmax_and_its_slopes_whatever_the_chunk(self):
        torch.manual_seed(0)
        hidden, weight = torch.randn(37, 16), torch.randn(50, 16)
        targets, slope = torch.randint(0, 50, (37,)), torch.randn(37)
        a, b = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        whole = (a @ b.T).log_softmax(-1)
        whole.gather(1, targets[:, None]).squeeze(1).backward(slope)
        for chunk in (1, 8, 37, 100):
            x, y = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
            logprobs, entropy = token_logprobs(x, y, targets, chunk)
            logprobs.backward(slope)
            torch.testing.assert_close(logprobs, whole.gather(1, targets[:, None]).squeeze(1))
            torch.testing.assert_close(entropy, -(whole.exp() * whole).sum(-1))
            torch.testing.assert_close(x.grad, a.grad)
            torch.testing.assert_close(y.grad, b.grad)

    def test_a_frozen_head_gets_no_gradient(self):
        hidden = torch.randn(3, 4, requires_grad=True)
        token_logprobs(hidden, torch.randn(5, 4), torch.tensor([0, 1, 2]))[0].sum().backward()
        self.assertIsNotNone(hidden.grad)

    def test_no_tokens_have_no_logprobs(self):
        self.assertEqual(token_logprobs(torch.randn(0, 4), torch.randn(5, 4), torch.zeros(0, dtype=torch.int64))[0].shape, (0,))

    def test_half_precision_states_give_float32_logprobs(self):
        torch.manual_seed(0)
        hidden, weight, targets = torch.randn(64, 32), torch.randn(100, 32), torch.randint(0, 100, (64,))
        exact, _ = token_logprobs(hidden.bfloat16().float(), weight.bfloat16().float(), targets)
        half, _ = token_logprobs(hidden.bfloat16(), weight.bfloat16(), targets)
        self.assertEqual(half.dtype, torch.float32)
        torch.testing.assert_close(half, exact, rtol=0, atol=1e-4)

    def test_a_step_never_holds_more_logits_than_one_chunk(self):
        vocabulary, chunk = 4000, 32
        directory = small.model_directory(vocabulary, tied=False)
        original, trainer_module.CHUNK = trainer_module.CHUNK, chunk
        try:
            for adapter, whole in ((small.LORA, 0), (None, vocabulary * 32)):
                one = small.trainer(directory, adapter=adapter, most=512, checkpointing=True)
                with Largest() as seen:
                    one.forward_backward(small.batch([(8, 100)] * 4, vocabulary), GRPO)
                # 400 sampled tokens: their logits would have 1.6 million elements.
                self.assertGreaterEqual(seen.elements, chunk * vocabulary)
                self.assertLessEqual(seen.elements, max(chunk * vocabulary, whole), seen.shape)
        finally:
            trainer_module.CHUNK = original


if __name__ == "__main__":
    unittest.main()
