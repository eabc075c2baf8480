"""What is checked, each in an environment of its own: `nox` runs lint, types, tests and smoke; `nox -l` lists all."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "tests", "smoke"]
nox.options.reuse_existing_virtualenvs = True

CODE = ("bench", "tasks", "leaderboard", "tests", "benchmarks", "noxfile.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}


def install(session: nox.Session, *packages: str) -> None:
    """Install at the pinned versions: without them torch comes with gigabytes of CUDA."""
    session.install(*packages, "-c", "constraints.txt")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and layout of imports."""
    install(session, "ruff")
    session.run("ruff", "check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, tests too."""
    install(session, "-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The normal suite, on two processes with one thread each."""
    install(session, "-e", ".[dev]")
    session.run("pytest", "-n", "2", "-m", "not slow and not faults", *session.posargs, env=ONE_THREAD)


@nox.session
def proofs(session: nox.Session) -> None:
    """The slow proofs: what pretraining is worth on every task. One process, since the runs bring their own workers."""
    install(session, "-e", ".[dev]")
    session.run("pytest", "-m", "slow", *session.posargs, env=ONE_THREAD)


@nox.session
def faults(session: nox.Session) -> None:
    """Kills, full disks, servers that fail: nothing finished is lost."""
    install(session, "-e", ".[dev,ray,slurm,postgres,mysql]")
    session.run("pytest", "-m", "faults", *session.posargs, env=ONE_THREAD)


@nox.session
def smoke(session: nox.Session) -> None:
    """A real tiny run through the command line, published and shown."""
    install(session, "-e", ".")
    out = session.create_tmp()
    session.run("python", "-m", "bench", "doctor")
    session.run("python", "-m", "bench", "run", "--suite", "smoke", "--out", f"{out}/smoke", env=ONE_THREAD)
    session.run("python", "-m", "bench", "show", f"{out}/smoke")
    session.run("python", "-m", "bench", "publish", f"{out}/smoke")
