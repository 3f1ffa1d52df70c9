"""The works that a model rests on, as BibTeX."""

from __future__ import annotations

from amalthea.predictor.predictor import Predictor

_ENTRIES = {
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
    "rdkit": """@misc{rdkit, title = {{RDKit}: Open-source cheminformatics}, howpublished = {\\url{https://www.rdkit.org}}}""",
    "morgan": """@article{rogers2010, author = {Rogers, David and Hahn, Mathew}, title = {Extended-Connectivity
  Fingerprints}, journal = {Journal of Chemical Information and Modeling}, volume = {50}, pages = {742--754},
  year = {2010}}""",
    "behler": """@article{behler2007, author = {Behler, Jörg and Parrinello, Michele}, title = {Generalized
  Neural-Network Representation of High-Dimensional Potential-Energy Surfaces},
  journal = {Physical Review Letters}, volume = {98},
  pages = {146401}, year = {2007}}""",
    "behler2011": """@article{behler2011, author = {Behler, Jörg}, title = {Atom-centered symmetry functions for
  constructing high-dimensional neural network potentials}, journal = {The Journal of Chemical Physics},
  volume = {134}, pages = {074106}, year = {2011}}""",
    "n2p2": """@article{singraber2019, author = {Singraber, Andreas and Behler, Jörg and Dellago, Christoph},
  title = {Library-Based {LAMMPS} Implementation of High-Dimensional Neural Network Potentials},
  journal = {Journal of Chemical Theory and Computation}, volume = {15}, pages = {1827--1840}, year = {2019}}""",
    "soap": """@inproceedings{vyas2025, author = {Vyas, Nikhil and Morwani, Depen and Zhao, Rosie and Kwun, Mujin and
  Shapira, Itai and Brandfonbrener, David and Janson, Lucas and Kakade, Sham}, title = {{SOAP}: Improving and
  Stabilizing {Shampoo} using {Adam}}, booktitle = {International Conference on Learning Representations},
  year = {2025}}""",
    "ase": """@article{larsen2017, author = {Larsen, Ask Hjorth and others}, title = {The atomic simulation environment:
  a {Python} library for working with atoms}, journal = {Journal of Physics: Condensed Matter}, volume = {29},
  pages = {273002}, year = {2017}}""",
}


def works(predictor: Predictor) -> list[str]:
    """Return the keys of the works that a model rests on."""
    if not predictor.validation.examples:  # trained elsewhere
        return ["keras", "jax", "behler", "behler2011", "n2p2", "ase"]
    keys = ["keras", "jax", *["sklearn"] * (predictor.domain != "structures"), "ensembles", "bootstrap"]
    tasks = {target.task for target in predictor.targets}
    keys += ["conformal"] * ("regression" in tasks) + ["temperature"] * ("classification" in tasks)
    keys += [name for name in ("adam", "adamw", "soap") if predictor.provenance.chosen.get("optimizer") == name]
    if predictor.domain == "molecules":
        keys.append("rdkit")
        names = {part.featurizer.name for part in predictor.parts}
        keys += ["morgan"] * bool(names & {"morgan", "both"})
    if predictor.domain == "structures":
        keys += ["behler", "behler2011", "ase"]
    return keys


def bibtex(predictor: Predictor) -> str:
    """Return the works that a model rests on, and Amalthea itself."""
    version = predictor.provenance.versions.get("amalthea", "")
    title = "Amalthea: cross-validated ensembles of neural networks"
    own = f"@misc{{amalthea, title = {{{title}}}, note = {{version {version}}}}}"
    return "\n\n".join([own, *(_ENTRIES[key] for key in works(predictor))])
