"""What happens to money: test cards, attempts, charges, refunds, the balance."""
