"""The PyTorch trainer of Troupe: one process behind stdio, driven by src/gpu/trainers/torch.ts. `python -m troupe_trainer` starts it."""
