"""GitOps for fleets of sensor-forecasting models."""

__version__ = "0.1.0"
