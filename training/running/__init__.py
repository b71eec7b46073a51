"""What every training run needs: processes, state, averages, seeds."""
