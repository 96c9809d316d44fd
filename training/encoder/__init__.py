"""The network that turns patches into embeddings: its graph, its pretrained weights, its export."""
