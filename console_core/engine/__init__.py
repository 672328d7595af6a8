"""From catalog rows to vectors, as fast as the machine allows and in bounded memory."""
