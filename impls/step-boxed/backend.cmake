# Each yield takes a box from the arena, which takes no lock: the program that ThreadSanitizer looks at
# lets two threads resume at once.
set(CB_UNCHECKED tsan)
