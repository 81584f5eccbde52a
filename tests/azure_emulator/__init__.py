"""Azure Machine Learning as far as fleetcast needs it, on this machine; what it does not know, it refuses."""
