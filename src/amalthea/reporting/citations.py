"""The works that a model rests on, as BibTeX."""

from __future__ import annotations

from amalthea.predictor.predictor import Predictor

ENTRIES = {
    "keras": """@misc{keras, author = {Chollet, François and others}, title = {Keras}, year = {2015},
  howpublished = {\\url{https://keras.io}}}""",
    "jax": """@misc{jax, author = {Bradbury, James and Frostig, Roy and Hawkins, Peter and Johnson, Matthew James and
  Leary, Chris and Maclaurin, Dougal and Necula, George and Paszke, Adam and VanderPlas, Jake and
  Wanderman-Milne, Skye and Zhang, Qiao}, title = {{JAX}: composable transformations of {Python+NumPy} programs},
  year = {2018}, howpublished = {\\url{https://github.com/jax-ml/jax}}}""",
    "sklearn": """@article{sklearn, author = {Pedregosa, F. and others}, title = {Scikit-learn: Machine Learning in
  {Python}}, journal = {Journal of Machine Learning Research}, volume = {12}, pages = {2825--2830}, year = {2011}}""",
    "ensembles": """@inproceedings{lakshminarayanan2017, author = {Lakshminarayanan, Balaji and Pritzel, Alexander and
  Blundell, Charles}, title = {Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles},
  booktitle = {Advances in Neural Information Processing Systems}, volume = {30}, year = {2017}}""",
    "bootstrap": """@book{efron1993, author = {Efron, Bradley and Tibshirani, Robert J.}, title = {An Introduction to
  the Bootstrap}, publisher = {Chapman and Hall}, year = {1993}}""",
    "conformal": """@article{lei2018, author = {Lei, Jing and G'Sell, Max and Rinaldo, Alessandro and
  Tibshirani, Ryan J. and Wasserman, Larry}, title = {Distribution-Free Predictive Inference for Regression},
  journal = {Journal of the American Statistical Association}, volume = {113}, pages = {1094--1111}, year = {2018}}""",
    "temperature": """@inproceedings{guo2017, author = {Guo, Chuan and Pleiss, Geoff and Sun, Yu and
  Weinberger, Kilian Q.}, title = {On Calibration of Modern Neural Networks}, booktitle = {Proceedings of the 34th
  International Conference on Machine Learning}, year = {2017}}""",
    "adam": """@inproceedings{kingma2015, author = {Kingma, Diederik P. and Ba, Jimmy}, title = {{Adam}: A Method for
  Stochastic Optimization}, booktitle = {International Conference on Learning Representations}, year = {2015}}""",
    "adamw": """@inproceedings{loshchilov2019, author = {Loshchilov, Ilya and Hutter, Frank}, title = {Decoupled Weight
  Decay Regularization}, booktitle = {International Conference on Learning Representations}, year = {2019}}""",
    "soap": """@inproceedings{vyas2025, author = {Vyas, Nikhil and Morwani, Depen and Zhao, Rosie and Kwun, Mujin and
  Shapira, Itai and Brandfonbrener, David and Janson, Lucas and Kakade, Sham}, title = {{SOAP}: Improving and
  Stabilizing {Shampoo} using {Adam}}, booktitle = {International Conference on Learning Representations},
  year = {2025}}""",
}


def works(predictor: Predictor, *programs: str) -> list[str]:
    """Return the works that the training and the judging of a model rest on.

    Args:
        predictor: the model.
        *programs: names of `ENTRIES` that were used beside Keras and JAX.
    """
    tasks = {target.task for target in predictor.targets}
    networks = bool(predictor.parts)
    keys = ["keras", "jax"] * networks + [*programs, *["ensembles"] * networks, "bootstrap"]
    keys += ["conformal"] * ("regression" in tasks) + ["temperature"] * ("classification" in tasks)
    optimizer = predictor.provenance.chosen_for(networks).get("optimizer")
    keys += [name for name in ("adam", "adamw", "soap") if optimizer == name]
    return [ENTRIES[key] for key in keys]


def bibtex(predictor: Predictor, entries: list[str]) -> str:
    """Return works that a model rests on, and Amalthea itself, as one text."""
    version = predictor.provenance.versions.get("amalthea", "")
    title = "Amalthea: cross-validated ensembles of neural networks"
    amalthea = f"@misc{{amalthea, title = {{{title}}}, note = {{version {version}}}}}"
    return "\n\n".join([amalthea, *entries])
