"""Azure Machine Learning as far as fleetcast needs it, on this machine: strict, and what it does not know it refuses."""
