"""Trains the scikit-learn model that MLServer serves: small scans of digits, which the package brings along."""

import shutil
import sys

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

first, *others = (f"{folder}/model.joblib" for folder in sys.argv[1:])
pixels, labels = load_digits(return_X_y=True)
joblib.dump(LogisticRegression(max_iter=200).fit(pixels[:600] / 16, labels[:600]), first)
for other in others:
    shutil.copyfile(first, other)
