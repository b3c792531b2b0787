"""The pages a buyer sees: Checkout and 3-D Secure. No JavaScript, no outside assets."""
