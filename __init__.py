"""unetbench: which U-Net, with which loss, is best for this data on this hardware, and how sure are we?"""

__version__ = "0.1.0"
