"""What `import amalthea` promises."""

import inspect
import pkgutil
import subprocess
import sys

import amalthea


def test_importing_does_not_import_keras_or_pandas():
    program = "import sys, amalthea; print([m for m in ('keras', 'jax', 'pandas', 'rdkit') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


VERBS = "train evaluate report explain md select label export import_model info data read load_model"


def test_every_public_name_is_there():
    for name in amalthea.__all__:
        assert getattr(amalthea, name) is not None


def test_every_verb_is_a_function_and_no_package_stands_in_its_way():
    modules = {module.name for module in pkgutil.iter_modules(amalthea.__path__)}
    for verb in VERBS.split():
        assert verb in amalthea.__all__
        assert inspect.isfunction(getattr(amalthea, verb))
    assert not modules & set(VERBS.split())


def test_another_backend_is_refused_in_one_sentence():
    program = (
        "import os; os.environ['KERAS_BACKEND'] = 'numpy'\n"
        "import keras, amalthea as am\n"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
        "model.compile(loss='mse')\n"
        "try:\n    am.Ensemble(model)\nexcept am.AmaltheaError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "set KERAS_BACKEND=jax" in run.stdout
