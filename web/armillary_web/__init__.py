"""The design system that every page of Armillary is made of."""
