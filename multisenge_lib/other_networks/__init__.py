"""Networks that are not the paper's, in the same frame: same data, loss, schedule and records.

Each module is one network, with one function `build`:

- `single_date`: the VGG-16 U-Net on the first date.
- `stacked_dates`: the same U-Net on all dates, stacked as channels.
- `unet3d`: a U-Net with convolutions over time and space (Rustowicz et al. 2019).
- `utae`: a U-Net that weighs the dates by attention (Garnot and Landrieu 2021).
"""
