"""Receipts and credit notes: numbered without gaps, and drawn as PDF whenever someone reads one.

numbering  gives each document its number
paper      seller, buyer, rows and amounts, as every document shows them
receipt    what was bought and paid
credit_note  what came back
collection all documents of an order in one file
"""
