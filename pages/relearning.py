"""Relearning: attack a network that has forgotten, turn the clock, and see what comes back."""

import streamlit as st

from pru_demo.figures.naming import forgotten_name
from pru_demo.ui.relearning.attack_choice import chosen_attack
from pru_demo.ui.relearning.knowledge_section import show_knowledge
from pru_demo.ui.relearning.sections import show_at_once, show_relearning
from pru_demo.ui.shared.comparison import needed_comparison

comparison = needed_comparison()
scenario = comparison.view.scenario

st.title(f"Make it remember {forgotten_name(scenario)}", anchor=False)
attack = chosen_attack(scenario)
show = show_relearning if attack.relearns else show_at_once
show(comparison, attack)
show_knowledge(comparison)
