"""What runs beside requests: services, loops and consumers, and who starts and stops them."""
