"""The exercises: what a student number decides, and checks that say right, or give a hint, never the solution.

    mine = exercises.Lesson1(SEED)
    mine.check_rheobase(my_current)

Lesson1, Lesson2, Lesson3   the exercises of a lesson, with the values of one student
Sheet                       what the three have in common
Verdict                     what a check says
UnlabelledCells             two cells on a rig, of which only V can be seen
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "lesson_1": ["Lesson1"],
        "lesson_2": ["Lesson2"],
        "lesson_3": ["Lesson3"],
        "sheet": ["Sheet", "Verdict"],
        "unlabelled": ["UnlabelledCells"],
    },
)
