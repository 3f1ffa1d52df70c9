"""The works on which forecasts rest, as BibTeX."""

from __future__ import annotations

CONFORMAL = """@inproceedings{angelopoulos2023, author = {Angelopoulos, Anastasios and Candès, Emmanuel and
  Tibshirani, Ryan J.}, title = {Conformal {PID} Control for Time Series Prediction},
  booktitle = {Advances in Neural Information Processing Systems}, volume = {36}, year = {2023}}"""

SELECTION = """@inproceedings{caruana2004, author = {Caruana, Rich and Niculescu-Mizil, Alexandru and Crew, Geoff and
  Ksikes, Alex}, title = {Ensemble Selection from Libraries of Models}, booktitle = {Proceedings of the 21st
  International Conference on Machine Learning}, year = {2004}}"""

NORMALIZATION = """@inproceedings{kim2022, author = {Kim, Taesung and Kim, Jinhee and Tae, Yunwon and Park, Cheonbok
  and Choi, Jang-Ho and Choo, Jaegul}, title = {Reversible Instance Normalization for Accurate Time-Series
  Forecasting against Distribution Shift},
  booktitle = {International Conference on Learning Representations}, year = {2022}}"""

THETA = """@article{assimakopoulos2000, author = {Assimakopoulos, Vassilis and Nikolopoulos, Konstantinos},
  title = {The theta model: a decomposition approach to forecasting}, journal = {International Journal of Forecasting},
  volume = {16}, pages = {521--530}, year = {2000}}"""
