"""Whether a potential is fit for use: checks, each with its limit and its reason."""

from adiabat.validation.check import Case, Check, CheckResult
from adiabat.validation.config import Limits, ValidateConfig
from adiabat.validation.subject import Subject
from adiabat.validation.suite import CHECKS, Validation, validate

__all__ = ["CHECKS", "Case", "Check", "CheckResult", "Limits", "Subject", "ValidateConfig", "Validation", "validate"]
