"""The trainer's parts together: padding and cuts change nothing, frozen rows hold, half precision computes and never trains."""

import json
import unittest

import numpy as np
import torch
from safetensors.torch import load_file

from tests import small
from troupe_trainer.batch import Batch, micro_batches
from troupe_trainer.objective import Objective, Tokens, evaluate
from troupe_trainer.optimiser import Optimiser
from troupe_trainer.wire import wire_array

GRPO = Objective("grpo", 0.2, 0.2, kl=0.01)
LENGTHS = [(5, 40), (3, 2), (30, 7), (1, 1), (12, 20), (5, 3)]


class Batches(unittest.TestCase):
    def test_micro_batches_hold_every_sampled_token_once_and_keep_to_their_size(self):
        whole = small.batch(LENGTHS)
        parts = micro_batches(whole, 64, torch.device("cpu"))
        self.assertEqual(sorted(np.concatenate([part.places.numpy() for part in parts])), list(range(whole.tokens)))
        self.assertTrue(all(part.ids.numel() <= 64 or len(part.ids) == 1 for part in parts))
        sampled = whole.ids[np.flatnonzero(whole.sampled)]
        for part in parts:
            np.testing.assert_array_equal(part.targets.numpy(), sampled[part.places.numpy()])

    def test_a_batch_whose_arrays_do_not_fit_is_refused(self):
        def args(**changed):
            lists = {
                "ids": np.array([1, 2, 3], np.int32),
                "sampled": np.array([0, 0, 1], np.uint8),
                "logprobs": np.zeros(3, np.float32),
                "lengths": np.array([3], np.int32),
                "advantages": np.ones(1, np.float32),
            }
            return {**{name: wire_array(value) for name, value in {**lists, **changed}.items()}, "denominator": 1}

        self.assertEqual(Batch.of(args(), 10).tokens, 1)
        for changed in (
            {"ids": np.array([1, 2, 10], np.int32)},
            {"ids": np.array([1, 2, -1], np.int32)},
            {"sampled": np.array([1, 0, 1], np.uint8)},
            {"logprobs": np.zeros(2, np.float32)},
            {"advantages": np.ones(2, np.float32)},
        ):
            with self.assertRaises(ValueError):
                Batch.of(args(**changed), 10)
        with self.assertRaises(TypeError):
            Batch.of(args(ids=np.zeros(3, np.float32)), 10)


class Training(unittest.TestCase):
    directory = small.model_directory()

    def test_neither_padding_nor_the_cut_changes_logprobs_or_gradients(self):
        whole = small.batch(LENGTHS)
        for adapter in (small.LORA, None):
            norms, scores, entropies = [], [], []
            for most in (1, 50, 4096):
                one = small.trainer(self.directory, adapter=adapter, most=most, checkpointing=most == 50)
                scores.append(one.logprobs(whole))
                seen = one.forward_backward(whole, GRPO)
                # The same forward pass, in the batch's order whatever the cut.
                np.testing.assert_array_equal(seen.logprobs, scores[-1])
                self.assertAlmostEqual(float(seen.entropy.astype(np.float64).sum()), seen.sums["entropy"], places=3)
                entropies.append(seen.entropy)
                norms.append(one.optimiser._norm())
            alone = small.trainer(self.directory, adapter=adapter)
            scores.append(np.concatenate([alone.logprobs(small.part(whole, index)) for index in range(len(LENGTHS))]))
            for score in scores[1:]:
                np.testing.assert_allclose(score, scores[0], rtol=0, atol=2e-5)
            for entropy in entropies[1:]:
                np.testing.assert_allclose(entropy, entropies[0], rtol=0, atol=2e-5)
            np.testing.assert_allclose(norms, norms[0], rtol=1e-5)
            self.assertGreater(norms[0], 0)

    def test_logprobs_leave_the_gradient_as_it_is_and_a_failure_leaves_none(self):
        one = small.trainer(self.directory)
        one.forward_backward(small.batch(LENGTHS), GRPO)
        before = one.optimiser._norm()
        one.logprobs(small.batch(LENGTHS, seed=5))
        self.assertEqual(one.optimiser._norm(), before)
        with self.assertRaises(ValueError):
            one.forward_backward(Batch(**{**vars(small.batch(LENGTHS)), "denominator": 0.0}), GRPO)
        self.assertEqual(one.optimiser._norm(), 0)

    def test_the_base_stays_as_it_is_under_an_adapter(self):
        one = small.trainer(self.directory)
        base = {name: value.clone() for name, value in one.policy.module.state_dict().items() if "lora" not in name}
        for _ in range(3):
            one.forward_backward(small.batch(LENGTHS), GRPO)
            one.optim_step(0.05, 0.1, 1.0)
        self.assertEqual({name.split(".")[-2] for name in one.policy.parameters()}, {"default"})
        for name, value in base.items():
            self.assertTrue(torch.equal(value, one.policy.module.state_dict()[name]), name)

    def test_frozen_rows_stay_and_the_others_move(self):
        directory = small.model_directory()
        name = "model.layers.0.self_attn.q_proj.weight"
        (directory / "troupe.json").write_text(json.dumps({"version": 0, "frozen": [{"name": name, "rows": 5}]}))
        one = small.trainer(directory, adapter=None)
        before = one.policy.parameters()[name].detach().clone()
        one.forward_backward(small.batch(LENGTHS), GRPO)
        one.optim_step(0.01, 0.1, 0.0)
        after = one.policy.parameters()[name].detach()
        self.assertTrue(torch.equal(after[:5], before[:5]))
        self.assertFalse((after[5:] == before[5:]).any())

    def test_an_adapter_on_a_half_precision_base_is_float32_and_scores_nearly_alike(self):
        whole = small.batch(LENGTHS)
        exact, half = (small.trainer(self.directory, dtype=dtype) for dtype in ("float32", "bfloat16"))
        self.assertEqual({parameter.dtype for parameter in half.policy.parameters().values()}, {torch.float32})
        self.assertEqual(half.policy.head.weight.dtype, torch.bfloat16)
        difference = np.abs(exact.logprobs(whole) - half.logprobs(whole))
        self.assertGreater(difference.max(), 0)
        self.assertLess(difference.mean(), 0.1)
        norms = []
        for one in (exact, half):
            one.forward_backward(whole, GRPO)
            norms.append(one.optim_step(0.01, 0.0, 0.0))
        self.assertLess(abs(norms[1] / norms[0] - 1), 0.1)

    def test_every_weight_is_float32_where_half_precision_computes(self):
        whole = small.batch(LENGTHS)
        exact, half = (small.trainer(self.directory, adapter=None, dtype=dtype, checkpointing=True) for dtype in ("float32", "bfloat16"))
        self.assertEqual({parameter.dtype for parameter in half.policy.parameters().values()}, {torch.float32})
        difference = np.abs(exact.logprobs(whole) - half.logprobs(whole))
        self.assertGreater(difference.max(), 0)
        self.assertLess(difference.mean(), 0.1)
        before = half.logprobs(whole)
        half.forward_backward(whole, GRPO)
        half.optim_step(1e-3, 0.0, 1.0)
        self.assertGreater(np.abs(half.logprobs(whole) - before).max(), 0)

    def test_a_state_of_another_adapter_is_refused_and_changes_nothing(self):
        one, other = small.trainer(self.directory), small.trainer(self.directory, adapter=None)
        folder = small.folder()
        other.save_state(folder / "state")
        before = one.logprobs(small.batch(LENGTHS))
        with self.assertRaises(ValueError):
            one.load_state(folder / "state")
        np.testing.assert_array_equal(one.logprobs(small.batch(LENGTHS)), before)

    def test_an_adapter_names_its_modules_and_its_base(self):
        one = small.trainer(self.directory)
        folder = small.folder()
        one.save_weights(folder / "adapter", 1)
        config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
        self.assertEqual(config["target_modules"], list(small.TARGETS))
        self.assertEqual((config["bias"], config["modules_to_save"], config["r"], config["base_model_name_or_path"]), ("none", None, 8, "small"))
        tensors = load_file(folder / "adapter" / "adapter_model.safetensors")
        self.assertEqual(len(tensors), 2 * 2 * 7)
        self.assertEqual({tensor.dtype for tensor in tensors.values()}, {torch.float32})


class Equations(unittest.TestCase):
    def test_a_masked_rollout_adds_nothing_even_where_its_ratio_overflows(self):
        logprobs = torch.tensor([-1.0, -1.0], requires_grad=True)
        loss, sums = evaluate(
            Objective("grpo", 0.2, 0.2, kl=0.0, sequence=(0.5, 2.0)),
            Tokens(logprobs, torch.tensor([-2000.0, -1.0]), torch.tensor([-1.0, 1.0]), torch.tensor([0, 1]), None, None, torch.zeros(2), 2.0),
        )
        loss.backward()
        self.assertEqual(logprobs.grad.tolist(), [0.0, -0.5])
        self.assertEqual(sums["masked"], 1)

    def test_adamw_is_the_paper_s(self):
        parameter, norm = (torch.nn.Parameter(value) for value in (torch.tensor([[1.0, -2.0]]), torch.tensor([3.0])))
        optimiser = Optimiser({"matrix": parameter, "norm": norm}, {})
        first, second = torch.zeros(2), torch.zeros(2)
        wanted = torch.tensor([1.0, -2.0])
        for step in range(1, 4):
            gradient = torch.tensor([0.3 * step, -0.1])
            parameter.grad.copy_(gradient[None])
            self.assertAlmostEqual(optimiser.step(0.1, 0.5, 0.2), float(gradient.norm()), places=6)
            clipped = gradient * 0.2 / gradient.norm()
            first = 0.9 * first + 0.1 * clipped
            second = 0.95 * second + 0.05 * clipped**2
            wanted = wanted * (1 - 0.1 * 0.5) - 0.1 * (first / (1 - 0.9**step)) / ((second / (1 - 0.95**step)).sqrt() + 1e-8)
            torch.testing.assert_close(parameter.detach()[0], wanted)
        self.assertEqual(norm.item(), 3.0)

    def test_a_gradient_that_is_not_finite_changes_nothing(self):
        parameter = torch.nn.Parameter(torch.ones(1, 2))
        optimiser = Optimiser({"matrix": parameter}, {})
        parameter.grad.fill_(float("nan"))
        with self.assertRaisesRegex(ValueError, "norm is nan"):
            optimiser.step(0.1, 0.0, 1.0)
        self.assertEqual((parameter.tolist(), optimiser.steps, optimiser._norm()), ([[1.0, 1.0]], 0, 0.0))


if __name__ == "__main__":
    unittest.main()
